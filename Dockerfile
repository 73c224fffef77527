# The course in a container, with the versions of constraints.txt: for Docker, Binder and development containers.
#
#     docker build --tag cnncourse .
#     docker run --rm --publish 127.0.0.1:8888:8888 cnncourse
#
# To grade in it, nothing is needed where the host has Landlock (Linux 5.13); with --privileged, namespaces are used.
FROM python:3.12-slim-bookworm

# libseccomp for the sandbox, a font for the Chinese edition's figures, a compiler-free image otherwise.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-wqy-zenhei git libseccomp2 \
    && rm -rf /var/lib/apt/lists/*

# Binder gives the name and the number of the user.
ARG NB_USER=reader
ARG NB_UID=1000
ENV USER=${NB_USER} HOME=/home/${NB_USER} PATH=/opt/cnncourse/bin:${PATH}
RUN useradd --create-home --uid ${NB_UID} ${NB_USER} \
    && python -m venv /opt/cnncourse \
    && chown --recursive ${NB_UID} /opt/cnncourse
WORKDIR ${HOME}/cnncourse
COPY --chown=${NB_UID} . .
RUN chown ${NB_UID} .
USER ${NB_USER}
RUN pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt --editable .[grade] \
    && python -m cnncourse.warming

EXPOSE 8888
CMD ["course", "lab", "--", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
