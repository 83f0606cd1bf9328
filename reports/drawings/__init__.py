"""Small pictures as SVG, drawn beside the figures that they show."""
