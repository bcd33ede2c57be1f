"""What a declaration becomes: lake, cleaning, labels, features, and the Dagster components that wire them."""
