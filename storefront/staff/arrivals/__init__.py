"""Money that arrives by transfer or cheque, recorded."""
