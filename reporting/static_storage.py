"""Where pages find their assets: each under a name with the hash of its content, those that scripts import included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedAssets(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise's storage; `import "./other.js"` in a script becomes the other one's hashed name, too."""

    support_js_module_import_aggregation = True
