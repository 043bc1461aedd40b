#!/usr/bin/env bash
# Runs the gate with the inputs of action.yml, which come as environment variables, so that nothing
# in them is taken for shell code.
set -euo pipefail

reports="${RUNNER_TEMP:-/tmp}/keypoint-gate"
mkdir -p "$reports"
if [[ -n "${GITHUB_OUTPUT:-}" ]]; then
    printf 'sarif=%s\nhtml=%s\n' "$reports/gate.sarif" "$reports/gate.html" >> "$GITHUB_OUTPUT"
fi

read -r -a files <<< "$FILES"
arguments=("${files[@]}" --fail-on "${FAIL_ON:-error}"
    --output-format github --output-file -
    --output-format sarif --output-file "$reports/gate.sarif"
    --output-format html --output-file "$reports/gate.html")
[[ -n "${IMAGES:-}" ]] && arguments+=(--images "$IMAGES")
[[ -n "${PREVIOUS:-}" ]] && arguments+=(--previous "$PREVIOUS")
[[ -n "${BASELINE:-}" ]] && arguments+=(--baseline "$BASELINE")
[[ "${RELEASE:-false}" == true ]] && arguments+=(--extend-select SPT902,SPT904,SPT905,SPT906)

exec spinetrack-synth validate "${arguments[@]}"
