"""What a table, a file or a text gives away of people: rows that can be singled out, personal data in plain sight."""
