"""What breaks the way from inputs to outputs, though every byte may be right."""
