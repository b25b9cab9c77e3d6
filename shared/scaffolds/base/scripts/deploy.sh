#!/usr/bin/env sh
# Release one image to one environment, and go back by itself when the new version does not become ready.
# Usage: scripts/deploy.sh ENVIRONMENT IMAGE_REPOSITORY IMAGE_TAG
set -eu

if [ "$#" -ne 3 ]; then
  echo "usage: $0 ENVIRONMENT IMAGE_REPOSITORY IMAGE_TAG" >&2
  exit 64
fi
environment=$1
image_repository=$2
image_tag=$3

chart=$(dirname "$0")/../deploy/chart
release=$(sed -n 's/^name: "\(.*\)"$/\1/p' "$chart/Chart.yaml")
values="$chart/values-$environment.yaml"
if [ ! -f "$values" ]; then
  echo "no values for environment '$environment': expected $values" >&2
  exit 66
fi

helm upgrade "$release" "$chart" \
  --install \
  --namespace "$release-$environment" \
  --create-namespace \
  --values "$values" \
  --set-string "image.repository=$image_repository" \
  --set-string "image.tag=$image_tag" \
  --atomic \
  --wait \
  --timeout 5m
