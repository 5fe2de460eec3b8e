# Build: everything, to make the CSS, the translations and the collected files.
FROM python:3.11-slim AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt pyproject.toml ./
RUN python -m venv .venv && .venv/bin/pip install --require-hashes -r requirements.txt
COPY tools/runtime_lock.py tools/
RUN .venv/bin/python tools/runtime_lock.py > runtime.txt \
    && python -m venv /venv && /venv/bin/pip install --require-hashes -r runtime.txt
COPY . .
RUN mkdir -p static/dist \
    && .venv/bin/tailwindcss --input static/src/app.css --output static/dist/app.css --minify \
    && .venv/bin/python tools/messages.py compile \
    && DATABASE_URL=postgres://nobody@nowhere/none REDIS_URL=redis://nowhere \
       .venv/bin/python manage.py collectstatic --noinput \
    && rm -rf .venv runtime.txt tests bench tools

# Run: the product, what it needs, and a user that owns nothing but the uploads.
FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin crm
COPY --from=build /venv /venv
COPY --from=build /app /app
RUN mkdir -p /app/var/media && chown crm: /app/var/media
WORKDIR /app
USER crm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    BIND=0.0.0.0:8000 PROMETHEUS_MULTIPROC_DIR=/tmp/prometheus
EXPOSE 8000
CMD ["gunicorn", "--config", "clinic_crm/gunicorn_conf.py"]
