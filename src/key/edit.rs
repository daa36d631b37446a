//! Edits of a key ring: each makes a new ring from the old one's text, so that comments and order survive.
