#!/bin/sh
# Placeholder until the script of the same name is merged.
set -eu
