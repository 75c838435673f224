# Routemark in a container. Runs are written to /work: docker run --rm -v "$PWD:/work" -e OPENROUTER_API_KEY routemark run my.jsonl
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY man man
COPY src src
RUN python -m venv /opt/routemark \
    && /opt/routemark/bin/pip install --no-cache-dir --disable-pip-version-check ".[math,schema]"

FROM python:3.13-slim
COPY --from=build /opt/routemark /opt/routemark
ENV PATH="/opt/routemark/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 10001 routemark && install -d -o routemark -g routemark /work
WORKDIR /work
USER routemark
ENTRYPOINT ["routemark"]
CMD ["--help"]
