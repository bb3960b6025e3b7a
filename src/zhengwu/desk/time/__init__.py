"""Where the time of cases went (时间账)."""
