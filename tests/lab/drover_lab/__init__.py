"""The parts of the Drover test lab; README.md in the folder above says how they fit together."""
