# Writes the files here with Arrow (pyarrow 26): each compression, both kinds of pages, and the encodings of texts.
import pyarrow as pa, pyarrow.parquet as pq

n = 40
table = pa.table({
    "text": [f"text {i}, " + "word " * (i % 5) for i in range(n)],
    "labels": [[f"topic{k}" for k in range(i % 4)] if i % 4 else None if i % 8 == 0 else [] for i in range(n)],
    "ok": [i % 5 == 0 for i in range(n)],
})
encodings = [None, "PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]
for i, codec in enumerate(["none", "snappy", "gzip", "brotli", "zstd", "lz4"] * 2):
    encoding = encodings[(i + i // 6) % 4]
    options = dict(use_dictionary=False, column_encoding={"text": encoding}) if encoding else {}
    version = "1.0" if i < 6 else "2.0"
    pq.write_table(table, f"{codec}-{version}-{encoding or 'dictionary'}.parquet", compression=codec, data_page_version=version,
                   row_group_size=25, data_page_size=200, write_page_checksum=i % 2 == 0, store_schema=False, **options)
