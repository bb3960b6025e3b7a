"""The real process beside the published one (实际流程)."""
