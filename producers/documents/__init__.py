"""Documents as people ask for them: the worker makes them and keeps them in the artifact store."""

from modeltrail.producers.documents.client import (
    DocumentNotMade,
    DocumentsClient,
    DocumentTimeout,
)

__all__ = ["DocumentNotMade", "DocumentTimeout", "DocumentsClient"]
