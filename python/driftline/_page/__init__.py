"""What all pages have in common: HTML files that need no network and no other file.

`document` is the frame around a page's content, with its policy; `page.css` and `page.js` are how all of them look and
work; `file` writes one; `markup` has pieces of HTML, `tools` what searches in a table, `words` what all of them say.
All that comes from data passes through `markup.text`.
"""
