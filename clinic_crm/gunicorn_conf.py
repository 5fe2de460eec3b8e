"""How gunicorn runs the web processes, here and in the container."""

import os
import shutil
from pathlib import Path
from typing import Any

wsgi_app = "clinic_crm.wsgi"
bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_WORKERS") or min(4, os.cpu_count() or 1))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS") or 4)
preload_app = True  # one import, memory shared among the workers
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True
loglevel = os.environ.get("WEB_LOG_LEVEL") or "warning"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  a disk may stall the liveness file

if _directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # forget the figures of an earlier run's processes
    shutil.rmtree(_directory, ignore_errors=True)
    Path(_directory).mkdir(parents=True)


def when_ready(_server: Any) -> None:
    """Load what the first request would, before workers split off, and keep the collector off it: they share it then."""
    import gc

    from django.urls import get_resolver

    get_resolver()._populate()
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Fold a finished worker's figures into the totals."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
