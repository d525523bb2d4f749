"""Reports: what came of the other rooms, shown to people and to other programs."""
