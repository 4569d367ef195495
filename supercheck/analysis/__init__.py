"""What a verdict means (`explore`), and what a network costs beside what theory says it must (`costs`).

Nothing here is on the way to a verdict; must not import `construct`, reports or doors.
"""
