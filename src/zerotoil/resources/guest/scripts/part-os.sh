# shellcheck shell=sh
# Placeholder until the part of the same name is merged.
