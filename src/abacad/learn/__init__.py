"""From labelled cadences to trained weights."""
