"""What a county starts from, as data: roles, mechanisms, the demo county's workbooks."""
