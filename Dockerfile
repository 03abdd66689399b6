# abacad in a container, on a CPU or, with the NVIDIA container toolkit, on GPUs: the plain wheel of torch runs on both.
#
#   docker build -t abacad .
#   docker run --rm -v "$PWD:/work" abacad demo
#   docker run --rm --gpus all --shm-size 4g -v "$PWD:/work" abacad train DATA --recipe medal
#
# --shm-size: reader processes hand cadences on through shared memory, of which a container has 64 MB by default.

FROM python:3.12-slim AS build
WORKDIR /source
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt build
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m build --wheel --outdir /wheels

FROM python:3.12-slim
# libgomp1: scikit-learn's and torch's threads. Debian drops old versions from its index, so a pinned one would break.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/constraints.txt
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --constraint /tmp/constraints.txt /wheels/*.whl && rm /tmp/constraints.txt
RUN useradd --create-home --uid 1000 abacad
USER 1000
WORKDIR /work
ENTRYPOINT ["abacad"]
CMD ["--help"]
