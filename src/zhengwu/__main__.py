"""The command `zhengwu` (命令): `python -m zhengwu`."""

from zhengwu.commands import main

if __name__ == "__main__":
    main(prog_name="zhengwu")
