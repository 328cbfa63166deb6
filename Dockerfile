# Loadline in a container: built from the lock by hash, run by a user without rights, on a file system that may be
# read-only except /data (the home) and /tmp. No secret belongs into the image: see compose.yaml.
ARG PYTHON=3.12.12-slim-bookworm

FROM python:${PYTHON} AS build
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN python -m pip install --no-cache-dir uv==0.13.9 && python -m venv --without-pip /opt/loadline
WORKDIR /src
COPY requirements-runtime.lock ./
RUN uv pip sync --python /opt/loadline/bin/python --require-hashes --compile-bytecode requirements-runtime.lock
COPY pyproject.toml README.md ./
COPY features ./features
COPY models ./models
COPY training ./training
COPY serving ./serving
RUN uv build --wheel --out-dir /tmp/dist && \
    uv pip install --python /opt/loadline/bin/python --no-deps --compile-bytecode /tmp/dist/*.whl

FROM python:${PYTHON}
# LightGBM is linked against it.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* && \
    groupadd --gid 10001 loadline && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin loadline && \
    mkdir --mode=0700 /data && chown 10001:10001 /data
COPY --from=build /opt/loadline /opt/loadline
ENV PATH=/opt/loadline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    LOADLINE_HOME=/data \
    LOADLINE_LOG_FORMAT=json
VOLUME /data
USER 10001:10001
EXPOSE 8321
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-S", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/healthz', timeout=4)"]
ENTRYPOINT ["loadline"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8321", "--workers", "2"]
