"""The stages as plain functions of a lake, a declaration and a day; the components only wire them."""
