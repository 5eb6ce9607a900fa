"""`driftline init`: looks at data, guesses what the columns are, and writes a `driftline.yaml` that runs as it is.

`facts` looks at the data; `guess`, with the `names` that people give and the `window`, is pure; `text` writes the file;
`begin` puts them together and lets the monitor read what is there; `reach` says what it can find, and what not.
"""
