"""Whether a unit will deteriorate: a classifier learned from outcomes that have matured."""
