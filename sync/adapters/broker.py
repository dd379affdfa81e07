"""Wakes lanes through Celery's broker: sends task names, imports no worker."""
