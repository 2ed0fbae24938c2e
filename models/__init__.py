"""Record types: columns, labels and enums, one file a type; no rule that needs a user or a request."""
