"""Pages: the generated record pages, one short declaration per record type, a few hand-made ones."""
