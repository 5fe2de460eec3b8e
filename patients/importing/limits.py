"""How much a file may hold, so that none takes the memory of the machine."""

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_ROWS = 200_000
MAX_CELL = 1_000_000  # characters
MAX_COLUMNS = 2_000
# A workbook unpacks to many times its size; more than this, or this tightly packed, is no honest one.
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_TEXT_BYTES = 192 * 1024 * 1024
MAX_RATIO = 200
RATIO_COUNTS_FROM = 20 * 1024 * 1024
MAX_MERGES = 500_000
