"""How people and pages look: sheets, predictions, reports."""
