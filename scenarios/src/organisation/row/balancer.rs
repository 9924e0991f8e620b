//! Application Load Balancers and their target groups.

use serde_json::{Value, json};

use crate::expand::{MOMENT, Place};

/// A load balancer.
pub(in crate::organisation) struct BalancerRow<'a> {
    pub(in crate::organisation) name: &'a str,
    /// 16 hexadecimal digits.
    pub(in crate::organisation) suffix: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) group: &'a str,
    pub(in crate::organisation) public: bool,
    /// The subnets with the numbers of their zones.
    pub(in crate::organisation) subnets: &'a [(String, u32)],
    pub(in crate::organisation) target_port: u16,
}

impl BalancerRow<'_> {
    /// Its path, as descriptions of its interfaces show it.
    pub(in crate::organisation) fn path(&self) -> String {
        format!("app/{}/{}", self.name, self.suffix)
    }

    fn arn(&self, place: &Place, kind: &str) -> String {
        format!("arn:aws:elasticloadbalancing:{}:{}:{kind}", place.region, place.account)
    }

    /// The row of the load balancer.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let zones = self.subnets.iter().map(|(subnet, zone)| {
            json!({"ZoneName": place.zone_name(*zone), "SubnetId": subnet, "LoadBalancerAddresses": []})
        });
        json!({
            "LoadBalancerArn": self.arn(place, &format!("loadbalancer/{}", self.path())),
            "LoadBalancerName": self.name, "Type": "application", "IpAddressType": "ipv4",
            "Scheme": if self.public { "internet-facing" } else { "internal" }, "VpcId": self.vpc,
            "DNSName": format!("{}-{}.{}.elb.amazonaws.com", self.name, self.suffix, place.region),
            "State": {"Code": "active"}, "SecurityGroups": [self.group], "CreatedTime": MOMENT,
            "AvailabilityZones": zones.collect::<Vec<_>>(),
        })
    }

    /// The row of its target group.
    pub(in crate::organisation) fn targets(&self, place: &Place) -> Value {
        json!({
            "TargetGroupArn": self.arn(place, &format!("targetgroup/{}/{}", self.name, self.suffix)),
            "TargetGroupName": self.name, "Protocol": "HTTP", "Port": self.target_port, "VpcId": self.vpc,
            "TargetType": "instance", "IpAddressType": "ipv4", "HealthCheckEnabled": true,
            "LoadBalancerArns": [self.arn(place, &format!("loadbalancer/{}", self.path()))],
        })
    }
}
