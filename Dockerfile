# The command dealtrail with all that it needs, as a user that owns nothing but its home.
# 3.11 is the oldest Python that is supported, and the one that the tests are run with.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY domain domain
COPY projections projections
COPY services services
COPY adapters adapters
RUN python -m venv /opt/dealtrail \
    && /opt/dealtrail/bin/pip install --no-cache-dir --disable-pip-version-check \
        --constraint constraints.txt '.[tracing]'

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/dealtrail --create-home --shell /usr/sbin/nologin dealtrail
COPY --from=build /opt/dealtrail /opt/dealtrail
ENV PATH=/opt/dealtrail/bin:$PATH \
    DEALTRAIL_HOME=/var/lib/dealtrail \
    PYTHONUNBUFFERED=1
USER dealtrail
WORKDIR /var/lib/dealtrail
ENTRYPOINT ["dealtrail"]
CMD ["--help"]
