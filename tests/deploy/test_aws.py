"""The CloudFormation templates, held to rules of ours; cfn-lint has a stage of its own (local/checks/run.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from twisted.web import http

from tests.deploy.test_compose import PROCFILE
from tests.processes import ROOT

FOLDER = ROOT / "deploy" / "aws"


class Template(yaml.CSafeLoader):
    """YAML with CloudFormation's short functions: !Ref X is {"!Ref": X}."""


def _short(loader: Template, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{tag}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{tag}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {f"!{tag}": loader.construct_mapping(node, deep=True)}


Template.add_multi_constructor("!", _short)


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((FOLDER / name).read_text(), Loader=Template)
    return loaded


TEMPLATES = {name: load(name) for name in ("foundation.yaml", "desk.yaml")}
RESOURCES = {name: r for template in TEMPLATES.values() for name, r in template["Resources"].items()}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}
    assert found, kind
    return found


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy but the key's own, which speaks of itself as “*”."""
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def containers() -> dict[str, dict[str, Any]]:
    return {name: t["ContainerDefinitions"][0] for name, t in of_type("AWS::ECS::TaskDefinition").items()}


# --- nothing lies open -----------------------------------------------------------------------------------------------
def test_everything_at_rest_is_encrypted_with_the_desks_key() -> None:
    (database,) = of_type("AWS::RDS::DBInstance").values()
    (cache,) = of_type("AWS::ElastiCache::ReplicationGroup").values()
    (journals,) = of_type("AWS::EFS::FileSystem").values()
    assert (database["StorageEncrypted"], cache["AtRestEncryptionEnabled"], journals["Encrypted"]) == (True,) * 3
    assert all(
        "KmsKeyId" in part for part in (database, cache, journals, *of_type("AWS::SecretsManager::Secret").values())
    )
    assert of_type("AWS::KMS::Key")["Key"]["EnableKeyRotation"] is True
    assert "KmsMasterKeyId" in of_type("AWS::SNS::Topic")["AlarmTopic"]


def test_everything_on_its_way_is_encrypted() -> None:
    assert of_type("AWS::ElastiCache::ReplicationGroup")["Cache"]["TransitEncryptionEnabled"] is True
    assert of_type("AWS::RDS::DBParameterGroup")["DatabaseParameters"]["Parameters"]["rds.force_ssl"] == "1"
    text = (FOLDER / "foundation.yaml").read_text()
    assert text.count("postgres://") == text.count("?sslmode=require") == 2
    assert "rediss://" in text
    assert "redis://" not in text
    for task in of_type("AWS::ECS::TaskDefinition").values():
        for volume in task["Volumes"]:
            assert volume["Name"] == "tmp" or volume["EFSVolumeConfiguration"]["TransitEncryption"] == "ENABLED"
    listeners = of_type("AWS::ElasticLoadBalancingV2::Listener")
    assert listeners["HttpsListener"]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert listeners["HttpListener"]["DefaultActions"][0]["Type"] == "redirect"


def test_nothing_is_public_but_the_load_balancer() -> None:
    assert of_type("AWS::RDS::DBInstance")["Database"]["PubliclyAccessible"] is False
    for service in of_type("AWS::ECS::Service").values():
        assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
        assert service["EnableExecuteCommand"] is False
    assert all(not subnet.get("MapPublicIpOnLaunch") for subnet in of_type("AWS::EC2::Subnet").values())
    assert sorted(_open_to_all()) == [("BalancerGroup", 80, 80), ("BalancerGroup", 443, 443)]


def _open_to_all() -> list[tuple[str, int, int]]:
    return [
        (name, rule["FromPort"], rule["ToPort"])
        for name, group in of_type("AWS::EC2::SecurityGroup").items()
        for rule in group.get("SecurityGroupIngress", [])
        if "SourceSecurityGroupId" not in rule
    ]


def test_what_goes_out_has_a_port() -> None:
    for name, group in of_type("AWS::EC2::SecurityGroup").items():
        for rule in group["SecurityGroupEgress"]:
            assert rule["IpProtocol"] == "tcp" or rule["CidrIp"] == "127.0.0.1/32", name


def test_from_outside_nobody_asks_for_metrics() -> None:
    rule = of_type("AWS::ElasticLoadBalancingV2::ListenerRule")["AskedFromInsideOnly"]
    assert rule["Conditions"][0]["PathPatternConfig"]["Values"] == ["/metrics", "/healthz", "/readyz"]
    assert rule["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "404"


# --- who may do what -------------------------------------------------------------------------------------------------
def test_no_role_may_do_everything_or_to_everything() -> None:
    for name, statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], name
        assert statement["Resource"] != "*" or actions == ["ecr:GetAuthorizationToken"], name
    assert all("ManagedPolicyArns" not in role for role in of_type("AWS::IAM::Role").values())


def test_only_migrations_know_the_owner_of_the_tables() -> None:
    for name, container in containers().items():
        text = str(container["Secrets"])
        assert ("OwnerDatabaseUrl" in text) == (name == "MigrateTask")
    for name, role in of_type("AWS::IAM::Role").items():
        assert ("Owner" in str(role)) == (name == "MigrateStartRole")


def test_no_secret_is_written_down() -> None:
    for name, secret in of_type("AWS::SecretsManager::Secret").items():
        assert "GenerateSecretString" in secret or "{{resolve:secretsmanager:" in str(secret["SecretString"]), name
    for container in containers().values():
        assert not {e["Name"] for e in container["Environment"]} & {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"}


# --- nothing is lost -------------------------------------------------------------------------------------------------
def test_what_must_not_be_lost_stays() -> None:
    database = RESOURCES["Database"]
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"
    assert database["Properties"]["DeletionProtection"] is True
    assert database["Properties"]["MultiAZ"] is True
    assert TEMPLATES["foundation.yaml"]["Parameters"]["BackupDays"]["MinValue"] >= 14
    for name in ("Journals", "Key", "EgressAddressA", "EgressAddressB", "Logs"):
        assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"
    assert RESOURCES["Journals"]["Properties"]["BackupPolicy"] == {"Status": "ENABLED"}
    cache = RESOURCES["Cache"]["Properties"]
    assert (cache["MultiAZEnabled"], cache["AutomaticFailoverEnabled"], cache["NumCacheClusters"]) == (True, True, 2)


def test_two_listeners_in_two_zones_with_a_journal_each_overlap_at_an_update() -> None:
    services = {n: s for n, s in of_type("AWS::ECS::Service").items() if n.startswith("Listener")}
    assert len(services) == 2
    zones, journals = set(), set()
    for service in services.values():
        assert service["DesiredCount"] == {"!If": ["IsRunning", 1, 0]}
        assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
        assert service["DeploymentConfiguration"]["MaximumPercent"] == 200
        zones.add(str(service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]))
        task = of_type("AWS::ECS::TaskDefinition")[service["TaskDefinition"]["!Ref"]]
        assert "$(hostname" in str(task["ContainerDefinitions"][0]["Command"])
        journals.add(str(task["Volumes"][1]["EFSVolumeConfiguration"]["AuthorizationConfig"]))
    assert len(zones) == len(journals) == 2
    assert RESOURCES["ListenerInZoneB"]["DependsOn"] == "ListenerInZoneA"  # in turn


@pytest.mark.parametrize("name", [n for n, r in RESOURCES.items() if r["Type"] == "AWS::ECS::Service"])
def test_a_failed_update_goes_back(name: str) -> None:
    deployment = RESOURCES[name]["Properties"]["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_every_alarm_reaches_somebody_and_names_a_page_that_is_there() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"!Ref": "AlarmTopic"}], name
        (page,) = re.findall(r"docs/[\w/-]+\.md", alarm["AlarmDescription"])
        assert (ROOT / page).is_file(), page


# --- it fits together ------------------------------------------------------------------------------------------------
def test_every_task_runs_hardened_what_procfile_runs() -> None:
    said = {name: " ".join(container.get("Command", [])) for name, container in containers().items()}
    assert said["WebTask"] == ""  # the image's own
    assert said["WorkerTask"] == PROCFILE["worker"]
    assert said["BeatTask"] == PROCFILE["beat"]
    assert all(PROCFILE["listener"] in said[name] for name in ("ListenerATask", "ListenerBTask"))
    assert set(said) == {"WebTask", "WorkerTask", "BeatTask", "ListenerATask", "ListenerBTask", "MigrateTask"}
    for name, container in containers().items():
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert container["User"] == "10001:10001"
        assert name == "MigrateTask" or "reporting/alive.py" in container["HealthCheck"]["Command"]


def test_every_import_has_its_export_and_every_name_is_explained() -> None:
    imported = set(re.findall(r"\$\{Foundation\}-(\w+)", (FOLDER / "desk.yaml").read_text()))
    exported = set(re.findall(r'Name: !Sub "\$\{AWS::StackName\}-(\w+)"', (FOLDER / "foundation.yaml").read_text()))
    assert imported
    assert imported <= exported
    example = (ROOT / ".env.example").read_text()
    for container in containers().values():
        for entry in (*container["Environment"], *container["Secrets"]):
            assert re.search(rf"^#?{entry['Name']}=", example, re.MULTILINE), entry["Name"]
    readme = (FOLDER / "README.md").read_text()
    for template in TEMPLATES.values():
        assert all(f"`{name}`" in readme for name in template["Parameters"])


def test_sockets_live_through_the_load_balancer() -> None:
    attributes = {
        a["Key"]: a["Value"]
        for a in of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")["Balancer"]["LoadBalancerAttributes"]
    }
    kept_by_the_web_process = http.HTTPFactory().timeOut  # daphne's factory leaves it as it is
    assert kept_by_the_web_process is not None
    assert 5 < int(attributes["idle_timeout.timeout_seconds"]) <= kept_by_the_web_process - 10
    assert of_type("AWS::ElasticLoadBalancingV2::TargetGroup")["WebTargets"]["HealthCheckPath"] == "/readyz"
