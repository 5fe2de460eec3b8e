"""How a language writes dates where Django's own way differs from the rest of the product."""
