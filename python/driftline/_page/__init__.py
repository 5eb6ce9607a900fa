"""What all pages have in common: HTML files that need no network and no other file.

`document` is the frame around a page's content, with its policy; `page.css` how all of them look; `file` writes one;
`markup` has pieces of HTML. All that comes from data passes through `markup.text`.
"""
