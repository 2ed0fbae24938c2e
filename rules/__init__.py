"""What the business says: scope, policy, workflow, clocks. Nothing here imports Flask."""
