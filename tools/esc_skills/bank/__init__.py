"""The bank: skill records, their reader, their rules and how two banks differ."""
