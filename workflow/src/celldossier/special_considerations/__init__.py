"""Special considerations: age groups, lymphodepletion, gene modification, other medicines."""
