"""float32."""
