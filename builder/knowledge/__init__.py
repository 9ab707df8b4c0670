"""What agents can look up: folders of documents, how they are read, and how they are searched.

parsing, chunking   a file becomes blocks, and those the passages that are searched
files, crawl        where documents come from: uploads, and pages of the web
ingest, tasks       the work behind it, in the worker
embedding           passages and questions as vectors
bm25, index, search the search itself; it knows nothing of pages and requests
calls               the search as calls use it
"""
