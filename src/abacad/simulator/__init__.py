"""What the sky and the ground send: noise, interference, needles, scenes."""
