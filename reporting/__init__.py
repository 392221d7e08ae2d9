"""The Django project: settings, addresses, processes, logs, health. Imported by none of the apps."""
