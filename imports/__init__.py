"""The workbook engine: probe, read, recognise, check, plan, apply, undo; one spec a record type."""
