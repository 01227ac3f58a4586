"""The goods of the shop: ordered, paid by reservation, placed or given back."""
