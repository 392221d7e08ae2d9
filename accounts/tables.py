"""The tables of people, Django's own among them, for the register (market/tables.py)."""

from __future__ import annotations

from market.tables import ROWS, Table

_OF_THE_USER = "JOIN accounts_usersession s ON s.user_id = {} WHERE s.session_key = %(session)s"

TABLES = (
    Table(
        "accounts_usersession",
        frame="""SELECT s.xmin::text || (s.expire_date > now()) FROM accounts_usersession s
      WHERE s.session_key = %(session)s""",
    ),
    Table("accounts_loginattempt", shows_nothing="nobody is logged in yet"),
    Table("accounts_secondfactor", shows_nothing="it is asked for at the log-in"),
    Table("accounts_apitoken", shows_nothing="pages are a matter of sessions"),
    Table("accounts_companyidentity", shows_nothing="it is asked for at the log-in"),
    Table("auth_user", frame=f"SELECT u.xmin FROM auth_user u {_OF_THE_USER.format('u.id')}"),
    Table(
        "auth_user_groups",
        frame=f"SELECT {ROWS.format('g')} FROM auth_user_groups g {_OF_THE_USER.format('g.user_id')}",
    ),
    Table("auth_group", frame=f"SELECT {ROWS.format('g')} FROM auth_group g"),
    Table("auth_group_permissions", shows_nothing="boards are a matter of roles, not of the admin's permissions"),
    Table("auth_user_user_permissions", shows_nothing="boards are a matter of roles, not of the admin's permissions"),
    Table("auth_permission", shows_nothing="boards are a matter of roles, not of the admin's permissions"),
    Table("django_admin_log", kept=True, shows_nothing="it is the admin's own"),
    Table("django_content_type", shows_nothing="it changes with a new version only"),
    Table("django_migrations", only_read=True, shows_nothing="it changes with a new version only"),
)
