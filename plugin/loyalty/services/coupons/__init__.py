"""What a merchant issues: coupons, stock of rewards, gift cards."""
