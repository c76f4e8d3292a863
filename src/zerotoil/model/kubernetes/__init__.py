"""Objects of a Kubernetes cluster as they are declared: read with the lines they stand in, and judged. Pure.

Nothing is imported here: most commands need a name's rule from `objects`, and reading manifests loads a schema's validator.
"""
