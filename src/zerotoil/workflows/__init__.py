"""The ordered things that would be destructive if done wrong. Each may be killed at any point and run again."""
