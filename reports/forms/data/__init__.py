"""Rules of forms, lists of words, patterns: data, each with its source."""
